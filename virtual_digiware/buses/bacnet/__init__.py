"""BACnet/IP: a gateway as a BACnet device, and as the router to the devices that it has collected."""
