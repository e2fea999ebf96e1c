"""A site as a picture: who stands in which cabinet, and which wires join them."""
