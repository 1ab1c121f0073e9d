#pragma once

namespace fairlead::model {
struct Static;
}

namespace fairlead::cmd {

// Logs which files keep providers and exporters from speaking TLS. Those that run read them at each
// connection, for a file may come later, and tell then.
void say_what_keeps_clients_from_tls(const model::Static& install);

}  // namespace fairlead::cmd
