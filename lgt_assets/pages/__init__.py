"""What all pages that `lgt` writes share: one self-contained file, every text escaped, a strict content security policy."""
