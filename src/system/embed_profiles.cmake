# Writes OUTPUT, a C++ source that holds the text of each of PROFILES (file names of DIRECTORY without .toml), so that the
# program needs no file beside it. Run at build time: cmake -DDIRECTORY=... -DPROFILES=a,b -DOUTPUT=... -P embed_profiles.cmake
string(REPLACE "," ";" names "${PROFILES}")
set(source "// Made from profiles/*.toml at build time.\n#include \"system/system.h\"\n\nnamespace holdfast::system {\nnamespace {\n\n")
string(APPEND source "struct Builtin { std::string name, text; };\nconst std::vector<Builtin>& builtins() {\n  static const std::vector<Builtin> all = {\n")
foreach(name IN LISTS names)
  file(READ "${DIRECTORY}/${name}.toml" text)
  string(APPEND source "{\"${name}\", R\"HOLDFAST_TOML(${text})HOLDFAST_TOML\"},\n")
endforeach()
string(APPEND source "  };\n  return all;\n}\n\n}  // namespace\n\n")
string(APPEND source "const std::string* builtin_profile(std::string_view name) {\n  for (const Builtin& one : builtins())\n    if (one.name == name) return &one.text;\n  return nullptr;\n}\n\n")
string(APPEND source "std::vector<std::string> builtin_profile_names() {\n  std::vector<std::string> names;\n  for (const Builtin& one : builtins()) names.push_back(one.name);\n  return names;\n}\n\n}  // namespace holdfast::system\n")
file(WRITE "${OUTPUT}" "${source}")
