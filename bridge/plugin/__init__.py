"""The plugin for DAWs: a native part that plays from shared memory, and the daemon that fills the memory."""
