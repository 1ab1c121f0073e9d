#include "engine/upstream/pools.h"
