"""Modbus RTU and TCP: codec, register images and the server loops."""
