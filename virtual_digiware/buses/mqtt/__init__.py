"""MQTT: what gateways have collected, sent to a broker. An interface of the simulator, not of the devices."""
