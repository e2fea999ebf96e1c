"""Transfer switches and bus couplers: what they are told, what they do about it, and when."""
