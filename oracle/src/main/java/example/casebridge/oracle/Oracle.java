package example.casebridge.oracle;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.LenientErrorHandler;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;

/**
 * The HL7 validator over many files in one JVM.
 *
 * <p>Usage: {@code Oracle --package FOLDER_OR_TGZ ... -- FILE_OR_FOLDER ...}. Prints one JSON object a line:
 * the file and its error-level issues with location, message id and text. Warnings are counted, not listed:
 * the verdict is about errors.
 */
public final class Oracle {

  private static final Set<String> CHAINED = Set.of("StructureDefinition", "CodeSystem", "ValueSet");
  private static final Pattern TYPE = Pattern.compile("\"resourceType\"\\s*:\\s*\"(\\w+)\"");
  private static final Pattern MESSAGE_ID = Pattern.compile("^([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)");

  private final FhirContext context = FhirContext.forR4Cached();
  private final PrePopulatedValidationSupport guides = new PrePopulatedValidationSupport(context);
  private final List<StructureDefinition> withoutSnapshot = new ArrayList<>();

  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Oracle oracle = new Oracle();
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--package")) {
        oracle.load(Path.of(args[++i]));
      } else if (!args[i].equals("--")) {
        files.addAll(jsonFiles(Path.of(args[i])));
      }
    }
    FhirValidator validator = oracle.validator();
    Gson gson = new GsonBuilder().disableHtmlEscaping().create();
    for (Path file : files) {
      out.println(gson.toJson(verdict(validator, file)));
    }
  }

  private static List<Path> jsonFiles(Path place) throws IOException {
    if (!Files.isDirectory(place)) {
      return List.of(place);
    }
    try (Stream<Path> found = Files.list(place)) {
      return found
          .filter(file -> file.toString().endsWith(".json"))
          .filter(file -> !file.endsWith("package.json"))
          .sorted()
          .toList();
    }
  }

  private void load(Path place) throws IOException {
    if (Files.isDirectory(place)) {
      for (Path file : jsonFiles(place)) {
        add(Files.readString(file), file.toString());
      }
      return;
    }
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(place));
        TarArchiveInputStream tar = new TarArchiveInputStream(new GZIPInputStream(raw))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        String name = entry.getName();
        if (name.endsWith(".json") && !name.endsWith("package.json") && !name.endsWith(".index.json")) {
          add(new String(tar.readAllBytes(), StandardCharsets.UTF_8), place + "!" + name);
        }
      }
    }
  }

  private void add(String text, String origin) {
    Matcher type = TYPE.matcher(text);
    if (!type.find() || !CHAINED.contains(type.group(1))) {
      return;
    }
    IParser parser = context.newJsonParser();
    parser.setParserErrorHandler(new LenientErrorHandler(false));
    try {
      IBaseResource resource = parser.parseResource(text);
      guides.addResource(resource);
      if (resource instanceof StructureDefinition profile && !profile.hasSnapshot()) {
        withoutSnapshot.add(profile);
      }
    } catch (RuntimeException broken) {
      System.err.println("not loaded: " + origin + ": " + broken.getMessage());
    }
  }

  private FhirValidator validator() {
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    SnapshotGeneratingValidationSupport snapshots = new SnapshotGeneratingValidationSupport(context);
    ValidationSupportChain chain =
        new ValidationSupportChain(
            guides,
            new DefaultProfileValidationSupport(context),
            snapshots,
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            unknown);
    for (StructureDefinition profile : withoutSnapshot) {
      generateSnapshot(chain, snapshots, profile);
    }
    FhirInstanceValidator instances = new FhirInstanceValidator(chain);
    instances.setAnyExtensionsAllowed(false);
    instances.setErrorForUnknownProfiles(true);
    instances.setValidatorPolicyAdvisor(new TypeOfTargets());
    instances.setValidatorResourceFetcher(new TypeFromUrl());
    return context.newValidator().registerValidatorModule(instances);
  }

  /** Checks that a reference names an allowed type, which HAPI leaves out by default. */
  private static final class TypeOfTargets extends FhirDefaultPolicyAdvisor {
    @Override
    public ReferenceValidationPolicy policyForReference(
        IResourceValidator validator, Object context, String path, String url, ReferenceDestinationType kind) {
      return ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS;
    }
  }

  /** Each file is judged alone: nothing is fetched, and a reference has the type its URL shows. */
  private static final class TypeFromUrl implements IValidatorResourceFetcher {
    private static final Pattern REST = Pattern.compile("(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/.+)?");

    @Override
    public Element fetch(IResourceValidator validator, Object context, String url) throws IOException {
      Matcher rest = REST.matcher(url);
      if (!rest.matches() || !validator.getContext().getResourceNames().contains(rest.group(1))) {
        return null;
      }
      String stub = "{\"resourceType\": \"" + rest.group(1) + "\", \"id\": \"" + rest.group(2) + "\"}";
      InputStream bytes = new ByteArrayInputStream(stub.getBytes(StandardCharsets.UTF_8));
      return Manager.parseSingle(validator.getContext(), bytes, Manager.FhirFormat.JSON);
    }

    @Override
    public boolean resolveURL(
        IResourceValidator validator, Object context, String path, String url, String type, boolean canonical,
        List<CanonicalType> targets) {
      return true;
    }

    @Override
    public byte[] fetchRaw(IResourceValidator validator, String url) {
      return null;
    }

    @Override
    public IValidatorResourceFetcher setLocale(Locale locale) {
      return this;
    }

    @Override
    public CanonicalResource fetchCanonicalResource(IResourceValidator validator, Object context, String url) {
      return null;
    }

    @Override
    public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
      return false;
    }

    @Override
    public Set<String> fetchCanonicalResourceVersions(IResourceValidator validator, Object context, String url) {
      return Set.of();
    }
  }

  private static void generateSnapshot(
      IValidationSupport chain, SnapshotGeneratingValidationSupport snapshots, StructureDefinition profile) {
    try {
      snapshots.generateSnapshot(new ValidationSupportContext(chain), profile, profile.getUrl(), "", profile.getName());
    } catch (RuntimeException broken) {
      System.err.println("no snapshot: " + profile.getUrl() + ": " + broken.getMessage());
    }
  }

  private static Map<String, Object> verdict(FhirValidator validator, Path file) throws IOException {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("file", file.toString());
    List<Map<String, String>> errors = new ArrayList<>();
    int warnings = 0;
    try {
      for (SingleValidationMessage message : validator.validateWithResult(Files.readString(file)).getMessages()) {
        if (message.getSeverity() == ResultSeverityEnum.ERROR || message.getSeverity() == ResultSeverityEnum.FATAL) {
          errors.add(issue(message));
        } else if (message.getSeverity() == ResultSeverityEnum.WARNING) {
          warnings++;
        }
      }
    } catch (RuntimeException crash) {
      line.put("crash", crash.toString());
    }
    line.put("errors", errors);
    line.put("warnings", warnings);
    return line;
  }

  private static Map<String, String> issue(SingleValidationMessage message) {
    Map<String, String> issue = new LinkedHashMap<>();
    issue.put("location", message.getLocationString());
    issue.put("id", message.getMessageId() == null ? idOf(message.getMessage()) : message.getMessageId());
    issue.put("text", message.getMessage());
    return issue;
  }

  private static String idOf(String text) {
    Matcher found = MESSAGE_ID.matcher(text);
    return found.find() ? found.group(1) : "";
  }
}
