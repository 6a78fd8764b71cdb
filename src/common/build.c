#include "ac.h"

/* The Makefile gives it; who compiles without that has nothing to compare with. */
#ifndef AC_BUILD
#define AC_BUILD AC_VERSION
#endif

const char ac_build[] = AC_BUILD;
