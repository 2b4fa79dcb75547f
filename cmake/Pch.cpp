// The precompiled header needs one translation unit that builds it.
