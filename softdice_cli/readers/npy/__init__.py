"""NumPy's own formats: ``.npy`` files and ``.npz`` archives of them. Nothing in them is ever unpickled."""
