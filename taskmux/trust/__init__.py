"""Who signs the certificates of local names, and who trusts that."""
