"""One-pass learning of finite networks: every sample is drawn, used once and forgotten.  Never sees a derived equation."""
