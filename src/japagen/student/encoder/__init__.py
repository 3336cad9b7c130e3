"""The student that fine-tunes a pretrained encoder (extra ``encoder``)."""
