// The core of formatting, compiled once for all files (cmake/pch.h).
#include <fmt/format.h>

#if FMT_VERSION / 10000 == 9
template void fmt::detail::vformat_to<char>(buffer<char>&, string_view,
                                            basic_format_args<buffer_context<char>>, locale_ref);
#endif
