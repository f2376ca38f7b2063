(() => {
  'use strict';
  // Looks at its own address, ever more rarely, until something else than this page is there.
  const FIRST = 500, MOST = 10000, KEY = 'taskmux-reloads', root = document.documentElement;
  let delay = FIRST, timer = 0, asking = null;

  // A task that is ready and gone again has its pages reload ever more slowly, too.
  let reloads = 0;
  try {
    const [count, at] = (sessionStorage.getItem(KEY) || '0 0').split(' ').map(Number);
    if (Date.now() - at < 3 * MOST) reloads = count;
  } catch {}
  delay = Math.min(MOST, FIRST * 2 ** reloads);

  const later = () => {
    clearTimeout(timer);
    if (!document.hidden && 'live' in root.dataset) timer = setTimeout(look, delay);
    delay = Math.min(MOST, delay * 1.5);
  };

  const reload = () => {
    try { sessionStorage.setItem(KEY, `${reloads + 1} ${Date.now()}`); } catch {}
    location.reload();
  };

  const show = (next) => {
    if (next.title !== document.title) delay = FIRST;
    document.title = next.title;
    root.dataset.tone = next.documentElement.dataset.tone;
    if (!('live' in next.documentElement.dataset)) delete root.dataset.live;
    const icon = 'link[rel=icon]';
    document.querySelector(icon).href = next.querySelector(icon).href;
    for (const part of document.querySelectorAll('[data-part]')) {
      const after = next.querySelector(`[data-part=${part.dataset.part}]`);
      if (part.innerHTML !== after.innerHTML) part.replaceChildren(...after.childNodes);
    }
  };

  const look = async () => {
    if (asking) return;
    asking = new AbortController();
    try {
      const answer = await fetch(location.href, {
        cache: 'no-store', headers: { Accept: 'text/html' }, redirect: 'manual', signal: asking.signal,
      });
      if (!answer.headers.has('X-Taskmux-Error')) {
        asking.abort();
        return reload();
      }
      show(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    } catch {} // Nobody is there at all: the daemon may be restarting.
    asking = null;
    later();
  };

  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (!document.hidden && 'live' in root.dataset) { delay = FIRST; look(); }
  });
  addEventListener('pageshow', (event) => { if (event.persisted) { asking = null; later(); } });
  later();
})();
