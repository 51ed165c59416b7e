"""The create request, from names to committed rows: resolve, devices, validate, admit."""
