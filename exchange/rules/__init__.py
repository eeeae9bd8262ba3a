"""What the exchange decides, as pure functions: grids, orders, fees, holds, and the matching itself."""
