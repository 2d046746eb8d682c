"""Time convscope beside published code."""
