"""Everything that carries bytes to a vehicle: ports, sockets, recordings, and faults around any of them."""
