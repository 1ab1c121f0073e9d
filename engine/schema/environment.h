#pragma once

#include "engine/base/result.h"
#include "engine/schema/problem.h"
#include "engine/schema/type.h"

#include <functional>
#include <map>
#include <string>

namespace fairlead::schema {

using Environment = std::map<std::string, std::string, std::less<>>;

// The process's own variables.
Environment environment_of_process();

// Reads TRAEFIK_… and FAIRLEAD_… (which wins) against the table: names are split at `_`, free names
// are lower case and may contain `_` where the rest still resolves; list elements are written
// `DOMAINS_0_MAIN` or `DOMAINS[0]_MAIN`. `…_FILE` reads the value of a scalar option from a file
// (at most 1 MiB, one line end removed). Unknown variables are problems of severity Error.
//
// read_file: how a file is read, for tests; the default reads the file system.
using ReadFile = std::function<Configured<std::string>(const std::string& path)>;
Node read_environment(const Environment& environment, const TypeInfo& root, Problems& problems,
                      const ReadFile& read_file = {});

}  // namespace fairlead::schema
