"""Pure rules of reporting: what a report says, and how a cell is written so that it means what it says."""
