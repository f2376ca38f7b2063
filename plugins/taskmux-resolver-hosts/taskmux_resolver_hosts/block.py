"""The block of lines taskmux keeps in a hosts file, as text in and text out."""
