"""Tensors that ``torch.save`` wrote: the pickle of the archive is read as data, and torch is not needed."""
