#include "cmd/fairlead/run.h"

#include <string>
#include <vector>

int main(int argc, char** argv) {
  return fairlead::cmd::run(std::vector<std::string>(argv + 1, argv + argc));
}
