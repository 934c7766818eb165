// Small text tools: nearest valid name, sizes and durations for people, safe printing of hostile names.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// The candidate with the smallest edit distance to `name` when it is near enough to be meant
// (at most a third of its length, at least 2); "" when none is.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

// "1.4 GB" (powers of 1000, as disks are sold), "812 B".
std::string human_bytes(std::uint64_t bytes);
// "0.4 s", "12 s", "3 min 20 s", "2 h 05 min".
std::string human_seconds(double seconds);
// "1,234,567"
std::string human_count(std::uint64_t count);

// Makes a name from a backup or a disk safe for a terminal and for JSON: control characters and bytes that are not
// UTF-8 become \xNN, so that no escape sequence of a hostile name reaches the terminal.
std::string printable(std::string_view bytes);
bool is_utf8(std::string_view bytes);
// At most the first `most` bytes of a UTF-8 text, cut where a character begins, with "…" behind them when there was more. Of a text that
// it has cut it is the text itself.
std::string shortened(std::string_view text, std::size_t most);

std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string to_lower_ascii(std::string_view text);

}  // namespace holdfast
