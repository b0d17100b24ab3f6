
return run(append)
