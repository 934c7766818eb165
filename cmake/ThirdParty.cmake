# Libraries from Debian, linked statically: the program is copied to a bare machine on the worst day.
# Why each one: docs/decisions/0002-libraries.md
find_package(Threads REQUIRED)
find_package(GTest REQUIRED)

function(holdfast_static_library name)
  cmake_parse_arguments(L "" "" "FILES;DEFINITIONS;LINK" ${ARGN})
  add_library(${name} INTERFACE)
  foreach(file IN LISTS L_FILES)
    find_library(_${name}_${file} NAMES lib${file}.a REQUIRED)
    target_link_libraries(${name} INTERFACE ${_${name}_${file}})
  endforeach()
  target_link_libraries(${name} INTERFACE ${L_LINK})
  target_compile_definitions(${name} INTERFACE ${L_DEFINITIONS})
endfunction()

holdfast_static_library(tp_openssl FILES crypto LINK ${CMAKE_DL_LIBS} Threads::Threads)
# Both in one list: the linker takes them in this order, and ssl needs crypto behind it.
holdfast_static_library(tp_openssl_tls FILES ssl crypto LINK ${CMAKE_DL_LIBS} Threads::Threads)
holdfast_static_library(tp_ipsec_mb FILES IPSec_MB)
holdfast_static_library(tp_sodium FILES sodium DEFINITIONS SODIUM_STATIC=1 LINK Threads::Threads)
holdfast_static_library(tp_zstd FILES zstd)
holdfast_static_library(tp_sqlite FILES sqlite3 LINK ${CMAKE_DL_LIBS} m Threads::Threads)
holdfast_static_library(tp_pugixml FILES pugixml)
holdfast_static_library(tp_utf8proc FILES utf8proc DEFINITIONS UTF8PROC_STATIC=1)

# fmt: Debian ships it shared only; its one source file is the inline part of its own header.
add_library(tp_fmt STATIC ${CMAKE_SOURCE_DIR}/third_party/fmt_format.cc)
# toml++, CLI11 and nlohmann-json are headers only: include them in .cc files, never in a widely included header.

# Boost: Asio and Beast, headers only (their error codes, too). Nothing of it is linked.
find_path(_boost_include boost/beast/core.hpp REQUIRED)
add_library(tp_boost INTERFACE)
target_include_directories(tp_boost SYSTEM INTERFACE ${_boost_include})
target_link_libraries(tp_boost INTERFACE Threads::Threads)
# Asio needs neither boost::regex nor boost::date_time then.
target_compile_definitions(tp_boost INTERFACE BOOST_ALL_NO_LIB BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_REGEX BOOST_ASIO_DISABLE_BOOST_DATE_TIME)

# BLAKE3: the official C and assembly sources. Debian 12 has no libblake3-dev; they come with librust-blake3-dev.
find_library(_blake3 NAMES libblake3.a)
find_path(_blake3_include blake3.h)
if(_blake3 AND _blake3_include)
  add_library(tp_blake3 INTERFACE)
  target_link_libraries(tp_blake3 INTERFACE ${_blake3})
else()
  file(GLOB _blake3_dirs /usr/share/cargo/registry/blake3-*/c)
  if(NOT _blake3_dirs)
    message(FATAL_ERROR "BLAKE3 sources not found: install librust-blake3-dev (scripts/setup does)")
  endif()
  list(GET _blake3_dirs 0 _b)
  add_library(tp_blake3 STATIC ${_b}/blake3.c ${_b}/blake3_dispatch.c ${_b}/blake3_portable.c
    ${_b}/blake3_sse2_x86-64_unix.S ${_b}/blake3_sse41_x86-64_unix.S
    ${_b}/blake3_avx2_x86-64_unix.S ${_b}/blake3_avx512_x86-64_unix.S)
  target_include_directories(tp_blake3 SYSTEM PUBLIC ${_b})
endif()
