"""What every room stands on: errors, files, devices, random streams, events and run folders."""
