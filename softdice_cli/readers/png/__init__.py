"""PNG images, read by Pillow after their chunks were looked through."""
