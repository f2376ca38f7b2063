"""What our DNS server answers, as bytes in and bytes out."""
