// fmt's inline implementation, compiled once (see cmake/ThirdParty.cmake).
#include <fmt/format-inl.h>
