// What nearly every file beside the request path needs besides cmake/pch.h, compiled once for the files that
// are joined (FAIRLEAD_UNITY). Not for the working build, where a change of the model's would compile it
// anew.
#pragma once

#include "engine/model/dynamic.h"
#include "engine/model/merge.h"
#include "engine/model/static.h"

#include "cmake/pch.h"
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <stop_token>
