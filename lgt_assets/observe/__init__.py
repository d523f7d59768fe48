"""What Dagit shows of an asset, its columns; of a materialization, its rows and numbers; of a run, how far it is."""
