"""Images by kind of difference that runtimes, kernels and shells make; each table maps a name to what builds one."""
