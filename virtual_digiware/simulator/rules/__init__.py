"""The rules of the architecture: what the maker's note and manuals ask of a site beyond a readable file."""
