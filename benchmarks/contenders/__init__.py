"""Other evaluators, each a script for a process of its own, as somebody who knows the library would write it today."""
