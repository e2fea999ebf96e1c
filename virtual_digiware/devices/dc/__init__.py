"""Direct-current modules: what they measure of the direct-current boards of a site."""
