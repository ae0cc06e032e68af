"""TIFF files, read by tifffile after their directories and strips were looked through."""
