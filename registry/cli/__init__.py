"""The commands of the registry alone, one file each; knows click, exit codes and the terminal."""
