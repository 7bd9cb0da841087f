# In the place of the Dockerfile's stage "build": the same program, built with the same flags outside of the engine.
FROM scratch
COPY hookloop /hookloop
