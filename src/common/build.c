#include "ac.h"

/* The Makefile defines AC_BUILD. Without it, builds of one version cannot be told apart. */
#ifndef AC_BUILD
#define AC_BUILD AC_VERSION
#endif

const char ac_build[] = AC_BUILD;
