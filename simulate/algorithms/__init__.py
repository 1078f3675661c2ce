"""Message passing on finite systems; shares the scalar functions of a theory by right."""
