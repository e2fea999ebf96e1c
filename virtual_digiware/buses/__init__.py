"""How values travel: the Digiware bus, RS485 lines and Ethernet services."""
