"""Sensors of the whole node: its management controller (Redfish, IPMI), and a smart plug on the local network."""
