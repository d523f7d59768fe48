"""What a run of any size would take, by arithmetic from figures that say where they come from."""
