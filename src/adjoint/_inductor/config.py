"""Settings of a compiler that is not there: they are kept, and change nothing."""
