#include "schema.h"

#include <mutex>
#include <unordered_set>

namespace adj {

const char* intern(std::string_view text) {
  static std::mutex mutex;
  static auto* texts = new std::unordered_set<std::string>;
  std::lock_guard lock(mutex);
  return texts->emplace(text).first->c_str();
}

namespace {

struct Reader {
  std::string_view rest;

  void space() {
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\n')) rest.remove_prefix(1);
  }
  bool take(std::string_view token) {
    space();
    if (rest.substr(0, token.size()) != token) return false;
    rest.remove_prefix(token.size());
    return true;
  }
  std::string_view until(std::string_view stops) {
    space();
    size_t n = rest.find_first_of(stops);
    if (n == std::string_view::npos) n = rest.size();
    std::string_view word = rest.substr(0, n);
    rest.remove_prefix(n);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    return word;
  }
};

Type type_named(std::string_view name) {
  static constexpr std::pair<std::string_view, Type> types[] = {
      {"Tensor", Type::tensor},    {"Operand", Type::operand}, {"Number", Type::number},
      {"Tensor[]", Type::tensors}, {"int", Type::integer},     {"int[]", Type::ints},
      {"float", Type::real},       {"bool", Type::boolean},    {"str", Type::string},
      {"dtype", Type::dtype},      {"device", Type::device},   {"Generator", Type::generator}};
  for (auto& [text, type] : types)
    if (text == name) return type;
  runtime_error("unknown type in a signature: ", name);
}

Value default_of(std::string_view text, Type type) {
  static const int64_t kZeroes[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  if (text == "None") return {};
  if (text == "True") return true;
  if (text == "False") return false;
  if (type == Type::string) return intern(text.substr(1, text.size() - 2));
  if (type == Type::ints) {  // "[]", "[0]", "[-1]", "[0, 1]": kept for good
    auto* dims = new Dims;
    std::string number;
    for (char c : text) {
      if ((c >= '0' && c <= '9') || c == '-') number += c;
      else if (!number.empty()) {
        dims->push_back(std::stoll(number));
        number.clear();
      }
    }
    if (!number.empty()) dims->push_back(std::stoll(number));
    return Value(DimsView(dims->empty() ? kZeroes : dims->data(), dims->size()));
  }
  if (type == Type::real || text.find_first_of(".e") != std::string_view::npos)
    return std::stod(std::string(text));
  return static_cast<int64_t>(std::stoll(std::string(text)));
}

}  // namespace

Schema::Schema(const char* signature) {
  Reader r{signature};
  name = r.until("(");
  if (size_t colon = name.find(':'); colon != std::string::npos) {
    overload = name.substr(colon + 1);
    name.resize(colon);
  }
  if (size_t dot = name.rfind('.'); dot != std::string::npos) {
    space = name.substr(0, dot);
    name.erase(0, dot + 1);
  }
  text = name + std::string(r.rest);
  r.take("(");
  bool keyword_only = false;
  while (!r.take(")")) {
    if (r.take("*")) {
      keyword_only = true;
      r.take(",");
      continue;
    }
    Param p;
    p.name = r.until(":");
    r.take(":");
    std::string_view type = r.until("=,)");
    if (type.back() == '?') {
      p.optional = true;
      type.remove_suffix(1);
    }
    p.type = type_named(type);
    p.keyword_only = keyword_only;
    if (r.take("=")) {
      r.space();
      std::string_view word;
      if (!r.rest.empty() && r.rest[0] == '[') {
        size_t n = r.rest.find(']') + 1;
        word = r.rest.substr(0, n);
        r.rest.remove_prefix(n);
      } else {
        word = r.until(",)");
      }
      p.has_default = true;
      p.standard = default_of(word, p.type);
    }
    params.push_back(std::move(p));
    r.take(",");
  }
  if (!r.take("->")) return;
  if (r.take("Tensor[]")) {
    returns_list = true;
  } else if (r.take("(")) {
    while (!r.take(")")) {
      std::string_view word = r.until(",)");
      if (word.substr(0, 7) == "Tensor ") word.remove_prefix(7);
      returns.emplace_back(word);
      r.take(",");
    }
  }
}

}  // namespace adj
