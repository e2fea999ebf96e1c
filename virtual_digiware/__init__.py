"""Virtual Digiware: an independent simulator of a Socomec DIRIS Digiware metering installation.

Four rooms, imports one way only: `simulator -> buses -> devices -> profiles`.
"""

__version__ = "0.1.0"
