"""Original weight files, read without the frameworks that wrote them."""
