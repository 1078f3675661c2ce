"""Training of finite systems.  Nothing here sees a derived equation; torch is imported by the modules that train, not by this package."""
