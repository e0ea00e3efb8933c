"""`dkd submit`: records of cells as others may have them, packed and checked. Never imports torch."""
